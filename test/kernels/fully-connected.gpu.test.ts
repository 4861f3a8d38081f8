import {
  fullyConnected,
  fullyConnectedVariants,
  matrixVectorConv,
  matrixVectorVariants,
} from '../../src/kernels/fully-connected.ts';
import { describeVariants, inHalvesOf } from './describe-kernel.ts';
import { layerCases, pixelCases } from './product-cases.ts';

describeVariants([fullyConnected, ...fullyConnectedVariants, ...inHalvesOf('fully-connected')], layerCases);
describeVariants([matrixVectorConv, ...matrixVectorVariants, ...inHalvesOf('matrix-vector')], pixelCases);

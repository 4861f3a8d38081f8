/**
 * Names of torchvision's MobileNets. From pytorch/vision, torchvision/models: `mobilenetv2.py` at commit 0256d651 and
 * `mobilenetv3.py` at 00542d95. A module list's numbers are places, so that a block's depend on which parts it has.
 */
import { blockOf, type Module, moduleAt, type Naming, type Network } from './names.ts';

/** Null where the names are not torchvision's. */
export function torchvisionNaming(names: ReadonlySet<string>): Naming | null {
  if (!names.has('features.0.0.weight')) return null;
  if (names.has('features.1.conv.0.0.weight')) return v2;
  if (!names.has('features.1.block.0.0.weight')) return null;
  const size = names.has('features.16.0.weight') ? 'large' : 'small';
  const minimalistic = ![...names].some((name) => name.includes('.fc1.'));
  const network: Network = { version: 3, size, minimalistic };
  const outside: Readonly<Record<string, Module>> = {
    stem: moduleAt('features.0.', '0', '1'),
    last: moduleAt(`features.${size === 'large' ? 16 : 12}.`, '0', '1'),
    head: moduleAt('classifier.', '0', ''),
    classifier: moduleAt('classifier.', '3', ''),
  };
  return {
    library: 'torchvision',
    network,
    moduleOf(layer) {
      const place = blockOf(layer);
      if (!place) return outside[layer];
      const prefix = `features.${place.block}.block.`;
      const depthwise = place.block === 1 ? 0 : 1;
      const squeeze = `${prefix}${depthwise + 1}.`;
      const project = depthwise + (names.has(`${squeeze}fc1.weight`) ? 2 : 1);
      switch (place.part) {
        case 'expand':
          return moduleAt(`${prefix}0.`, '0', '1');
        case 'depthwise':
          return moduleAt(`${prefix}${depthwise}.`, '0', '1');
        case 'squeeze-excite/reduce':
          return moduleAt(squeeze, 'fc1', '');
        case 'squeeze-excite/expand':
          return moduleAt(squeeze, 'fc2', '');
        case 'project':
          return moduleAt(`${prefix}${project}.`, '0', '1');
        default:
          return undefined;
      }
    },
  };
}

const v2: Naming = {
  library: 'torchvision',
  network: { version: 2 },
  moduleOf(layer) {
    if (layer === 'stem') return moduleAt('features.0.', '0', '1');
    if (layer === 'head') return moduleAt('features.18.', '0', '1');
    if (layer === 'classifier') return moduleAt('classifier.', '1', '');
    const place = blockOf(layer);
    if (!place) return undefined;
    const prefix = `features.${place.block}.conv.`;
    const depthwise = place.block === 1 ? 0 : 1;
    if (place.part === 'expand') return moduleAt(`${prefix}0.`, '0', '1');
    if (place.part === 'depthwise') return moduleAt(`${prefix}${depthwise}.`, '0', '1');
    return moduleAt(prefix, `${depthwise + 1}`, `${depthwise + 2}`);
  },
};

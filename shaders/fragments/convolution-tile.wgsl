// Products of four input channels, added to the sums of an invocation: TILE_PIXELS × TILE_CHANNELS, four in a vec4.
//
// Expects  x0 …, a vec4 of each pixel; sum0_0 …, [pixel]_[channel / 4]; `column`, of the first, and COLUMN_STEP; `weight(index, row, column)`
//          and the row of weights, `index` and `row`; with BROADCAST `own`, the column that this lane loads of every four;
//          with TILE_OF_WEIGHTS `tile`, the weights as a row of a uniform buffer, in halves with HALF_WEIGHT
// MATRICES: products are with matrices (see conv-pointwise.wgsl).
#unroll c TILE_CHANNELS
#if BROADCAST && c % 4 == 0
  let own$c = weight($index, $row, own + $(c)u);
#endif
#if BROADCAST
  let w$c = subgroupBroadcast(own$(c/4*4), $(c%4)u);
#elif TILE_OF_WEIGHTS && HALF_WEIGHT
  let pair$c = (*tile)[$(c/2)];
  let w$c = vec4f(unpack2x16float(pair$c[$(c%2*2)]), unpack2x16float(pair$c[$(c%2*2+1)]));
#elif TILE_OF_WEIGHTS
  let w$c = (*tile)[$c];
#else
  let w$c = weight($index, $row, column + $(c*COLUMN_STEP)u);
#endif
#if !MATRICES
#unroll p TILE_PIXELS
  sum$(p)_$(c/4)[$(c%4)] = fma(x$p.x, w$c.x,
    fma(x$p.y, w$c.y, fma(x$p.z, w$c.z, fma(x$p.w, w$c.w, sum$(p)_$(c/4)[$(c%4)]))));
#end
#endif
#end
#if MATRICES
#unroll q TILE_CHANNELS/4
  let four$q = mat4x4f(w$(4*q), w$(4*q+1), w$(4*q+2), w$(4*q+3));
#unroll p TILE_PIXELS
  sum$(p)_$q += x$p * four$q;
#end
#end
#endif

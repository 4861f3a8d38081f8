// Products of four input channels, added to the sums of an invocation.
//
// Expects  x0 …, the Input of each pixel; what int8-begin gives; the row of weights, `index` and `row`
#unroll q TILE_CHANNELS/4
#if DOT4
  let four$q = weights_at($index, $row, quad + $(q*COLUMN_STEP)u);
#unroll c 4
#unroll p TILE_PIXELS
  sum$(p)_$q[$c] += dot4I8Packed(x$p, four$q[$c]);
#end
#end
#else
#if BROADCAST && q % 4 == 0
  let four$q = weights_at($index, $row, own_quad + $(q)u);
#elif !BROADCAST
  let four$q = weights_at($index, $row, quad + $(q*COLUMN_STEP)u);
#endif
#unroll c 4
#if BROADCAST && q % 4 == 0
  let own$(q)_$c = weight_of(four$q[$c]);
#endif
#if BROADCAST
  let w$(q)_$c = subgroupBroadcast(own$(q/4*4)_$c, $(q%4)u);
#else
  let w$(q)_$c = weight_of(four$q[$c]);
#endif
#if !MATRICES
#unroll p TILE_PIXELS
  sum$(p)_$q[$c] = fma(x$p.x, w$(q)_$c.x,
    fma(x$p.y, w$(q)_$c.y, fma(x$p.z, w$(q)_$c.z, fma(x$p.w, w$(q)_$c.w, sum$(p)_$q[$c]))));
#end
#endif
#end
#if MATRICES
  let matrix$q = mat4x4f(w$(q)_0, w$(q)_1, w$(q)_2, w$(q)_3);
#unroll p TILE_PIXELS
  sum$(p)_$q += x$p * matrix$q;
#end
#endif
#endif
#end
#if DOT4 && WEIGHT_ZERO
#unroll p TILE_PIXELS
  inputs$p += dot4I8Packed(x$p, 0x01010101u);
#end
#endif

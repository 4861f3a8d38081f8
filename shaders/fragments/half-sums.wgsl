// Products of 4 · VECTORS inputs, summed in halves, and these short sums, TILE_PIXELS × TILE_CHANNELS, in float32.
//
// Expects  v0_0 …, Src4 [pixel]_[vector]; sum0_0 …, [pixel]_[channel / 4]; weights [vectors][groups of channels] of
//          [4 inputs][TILE_CHANNELS] halves; `index`, of the first vector, in rows of `groups`; group
// Halves are inputs of a small range as they are (src/graph/half-weights.ts). Others are float32 and may be any: what is
// larger than MOST_INPUT is shrunk, and all that is summed with it, by a range that the float32 sum takes back.
#if HALF_SRC
#unroll p TILE_PIXELS
#unroll j VECTORS
  let x$(p)_$j = v$(p)_$j;
#end
#end
#else
  var most = vec4f(0.0);
#unroll p TILE_PIXELS
#unroll j VECTORS
  most = max(most, abs(v$(p)_$j));
#end
#end
  let range = max(max(max(most.x, most.y), max(most.z, most.w)) / $(MOST_INPUT).0, 1.0);
  let shrink = 1.0 / range;
#unroll p TILE_PIXELS
#unroll j VECTORS
  let x$(p)_$j = vec4h(v$(p)_$j * shrink);
#end
#end
#endif
#unroll p TILE_PIXELS
#unroll q TILE_CHANNELS/4
  var part$(p)_$q = vec4h(0.0);
#end
#end
#unroll j VECTORS
  let tile$j = &weights[($index + $(j)u) * $groups + group];
#unroll i 4
#unroll q TILE_CHANNELS/4
  let w$(j)_$(i)_$q = (*tile$j)[$(i*TILE_CHANNELS/4+q)];
#unroll p TILE_PIXELS
  part$(p)_$q = fma(vec4h(x$(p)_$(j)[$i]), w$(j)_$(i)_$q, part$(p)_$q);
#end
#end
#end
#end
#unroll p TILE_PIXELS
#unroll q TILE_CHANNELS/4
#if HALF_SRC
  sum$(p)_$q += vec4f(part$(p)_$q);
#else
  sum$(p)_$q = fma(vec4f(part$(p)_$q), vec4f(range), sum$(p)_$q);
#endif
#end
#end

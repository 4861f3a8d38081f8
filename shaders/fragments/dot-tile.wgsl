// Products of four input channels, added to a tile of sums: PIXELS × CHANNELS named numbers.
//
// Expects  x0 …, a vec4 of each pixel; `sum`0_0 …, [pixel]_[channel]; `weight`, of four input channels for channel c
#unroll c CHANNELS
  let w$c = $weight;
#unroll p PIXELS
  $sum$(p)_$c = fma(x$p.x, w$c.x, fma(x$p.y, w$c.y, fma(x$p.z, w$c.z, fma(x$p.w, w$c.w, $sum$(p)_$c))));
#end
#end

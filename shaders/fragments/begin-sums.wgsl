// The sums of an invocation, TILE_PIXELS × TILE_CHANNELS, begin at the bias, with SCALED at zero.
//
// Expects  bias; `channel`, the first
// Gives    channel4, and sum0_0 …, [pixel]_[channel / 4]
  let channel4 = channel / 4u;
#unroll q TILE_CHANNELS/4*(1-SCALED)
  let bias$q = bias[channel4 + $(q)u];
#end
#unroll p TILE_PIXELS
#unroll q TILE_CHANNELS/4
#if SCALED
  var sum$(p)_$q = vec4f(0.0);
#else
  var sum$(p)_$q = bias$q;
#endif
#end
#end

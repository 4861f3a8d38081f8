// Sums that begin at zero. With CHUNKS they are floats that must not reach 2^24: after so many words of inputs of a pixel they are
// added to integers (int8-flush).
//
// Gives    sum0_0 …, [pixel]_[channel / 4]; with CHUNKS total0_0 …; with BROADCAST `own_quad`, which that this lane
//          loads of every four; with DOT4 and WEIGHT_ZERO inputs0 …, the sum of each pixel's inputs
#unroll p TILE_PIXELS
#unroll q TILE_CHANNELS/4
  var sum$(p)_$q = Sum4();
#if CHUNKS > 0
  var total$(p)_$q = vec4i();
#endif
#end
#if DOT4 && WEIGHT_ZERO
  var inputs$p = 0;
#endif
#end
#if BROADCAST
  let own_quad = quad + (subgroup_lane & 3u);
#endif

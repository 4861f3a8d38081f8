// Ends a chunk of products.
//
// Expects  what int8-begin gives
// Gives    with CHUNKS totals with the sums in them, which begin anew
#if CHUNKS > 0
#unroll p TILE_PIXELS
#unroll q TILE_CHANNELS/4
  total$(p)_$q += vec4i(sum$(p)_$q);
  sum$(p)_$q = Sum4();
#end
#end
#endif

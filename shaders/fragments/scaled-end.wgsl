// Ends sums of weights that were scaled to fit halves or bytes, and adds the bias.
//
// Expects  sum0_0 …, [pixel]_[channel / 4]; bias; channel4, of the first; `scales`, where theirs are, behind the bias
#unroll q TILE_CHANNELS/4
  let bias$q = bias[channel4 + $(q)u];
  let scale$q = bias[$scales + $(q)u];
#unroll p TILE_PIXELS
  sum$(p)_$q = fma(sum$(p)_$q, scale$q, bias$q);
#end
#end

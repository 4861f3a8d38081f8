// Ends the sums of an invocation, TILE_PIXELS × TILE_CHANNELS, those inside the output.
//
// Expects  what begin-sums gives; shape.cout4; finish; `first`, the place in the output of the first pixel's first
//          channels; with SCALED shape.columns, and the scales behind the bias; `inside`, whether pixel p is in the output; `pixels`, how many are
// With STORE_LOOP the sums go through an array: less code, which a software adapter compiles sooner; hardware would keep it
// in memory.
#unroll s SCALED
#include scaled-end scales=shape.columns/4u+channel4
#end
#if STORE_LOOP
  var sums: array<vec4f, $(TILE_PIXELS*TILE_CHANNELS/4)>;
#unroll p TILE_PIXELS
#unroll q TILE_CHANNELS/4
  sums[$(p*TILE_CHANNELS/4+q)] = sum$(p)_$q;
#end
#end
  let pixels = $pixels;
  let groups = min($(TILE_CHANNELS/4)u, shape.cout4 - channel4);
  for (var p = 0u; p < pixels; p++) {
    let at = first + p * shape.cout4;
    for (var q = 0u; q < groups; q++) { finish(sums[p * $(TILE_CHANNELS/4)u + q], at + q); }
  }
#else
#unroll p TILE_PIXELS
  if ($inside) {
    let at = first + $(p)u * shape.cout4;
#unroll q TILE_CHANNELS/4
    if (channel4 + $(q)u < shape.cout4) {
      finish(sum$(p)_$q, at + $(q)u);
    }
#end
  }
#end
#endif

// Ends the sums of an invocation, those inside the output.
//
// Expects  what int8-begin gives; shape.cout4; `first`, the place in the output of the first pixel's first channels; `inside`,
//          whether pixel p is in the output; `pixels`, how many are
// With STORE_LOOP the sums go through an array: less code, which a software adapter compiles sooner.
#unroll p TILE_PIXELS
#unroll q TILE_CHANNELS/4
#if CHUNKS > 0
  let end$(p)_$q = total$(p)_$q;
#elif DOT4 && WEIGHT_ZERO
  let end$(p)_$q = sum$(p)_$q - shape.weight_zero * inputs$p;
#else
  let end$(p)_$q = vec4i(sum$(p)_$q);
#endif
#end
#end
#if STORE_LOOP
  var ends: array<vec4i, $(TILE_PIXELS*TILE_CHANNELS/4)>;
#unroll p TILE_PIXELS
#unroll q TILE_CHANNELS/4
  ends[$(p*TILE_CHANNELS/4+q)] = end$(p)_$q;
#end
#end
  let pixels = $pixels;
  let groups = min($(TILE_CHANNELS/4)u, shape.cout4 - channel4);
  for (var q = 0u; q < groups; q++) {
    let end = channels[channel4 + q];
    for (var p = 0u; p < pixels; p++) {
      finish(ended(ends[p * $(TILE_CHANNELS/4)u + q], end), first + p * shape.cout4 + q);
    }
  }
#else
#unroll q TILE_CHANNELS/4
  if (channel4 + $(q)u < shape.cout4) {
    let end = channels[channel4 + $(q)u];
#unroll p TILE_PIXELS
    if ($inside) { finish(ended(end$(p)_$q, end), first + $(p)u * shape.cout4 + $(q)u); }
#end
  }
#end
#endif

// The sums of an invocation, TILE_PIXELS × TILE_CHANNELS, of products of bytes.
//
// Weights are [row][quads] of four words, those of four output channels, each of four input channels; in a buffer or as texels.
// Expects  struct Shape with weight_zero, the zero point of the weights
// Gives    Sum4 and Input, four sums and four inputs: with DOT4 integers, by a packed dot product; else floats, which are exact
//          while no sum reaches 2^24; load(word); weights_at(index, row, quad), the four words of a quad in row `index`, which
//          begins at `row` in a buffer
#if TEXTURE
@group(0) @binding(2) var weights: texture_2d<u32>;
#else
@group(0) @binding(2) var<storage, read> weights: array<vec4u>;
#endif

fn weights_at(index: u32, row: u32, quad: u32) -> vec4u {
#if TEXTURE
  return textureLoad(weights, vec2u(quad, index), 0);
#else
  return weights[row + quad];
#endif
}

#if DOT4
alias Sum4 = vec4i;
alias Input = u32;
fn load(word: u32) -> Input { return word; }
#else
alias Sum4 = vec4f;
alias Input = vec4f;
fn load(word: u32) -> Input { return floats_of(word); }
#if WEIGHT_ZERO
fn weight_of(word: u32) -> vec4f { return floats_of(word) - f32(shape.weight_zero); }
#else
fn weight_of(word: u32) -> vec4f { return floats_of(word); }
#endif
#endif

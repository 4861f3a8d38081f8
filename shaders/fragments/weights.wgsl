// Where weights come from: a buffer, or with TEXTURE the texels of a texture. With HALF they are those of `half-sums`.
//
// Gives    weights; weight(index, row, column): the four of a column, in row `index`, which begins at `row` in a buffer
#if HALF
@group(0) @binding(2) var<storage, read> weights: array<array<vec4h, $(TILE_CHANNELS)>>;
#elif TEXTURE
@group(0) @binding(2) var weights: texture_2d<f32>;
#else
@group(0) @binding(2) var<storage, read> weights: array<Weight4>;
#endif

#if !HALF
fn weight(index: u32, row: u32, column: u32) -> vec4f {
#if TEXTURE
  return textureLoad(weights, vec2u(column, index), 0);
#else
  return load_weight(weights[row + column]);
#endif
}
#endif

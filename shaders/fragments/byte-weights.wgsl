// In the place of `weights`: weights as signed bytes, four to a word or a texel, the first lowest. A sum of products with them
// ends with a product with the output's scale.
//
// Gives    weights; weight(index, row, column), as that does
#if TEXTURE
@group(0) @binding(2) var weights: texture_2d<i32>;
#else
@group(0) @binding(2) var<storage, read> weights: array<u32>;
#endif

fn weight(index: u32, row: u32, column: u32) -> vec4f {
#if TEXTURE
  return vec4f(textureLoad(weights, vec2u(column, index), 0));
#else
  return vec4f(bitcast<vec4i>(vec4u(weights[row + column]) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
#endif
}

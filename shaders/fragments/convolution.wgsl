// Bindings of a layer with weights, but for binding 2, which has these, and how it ends.
//
// Expects  struct Shape, and what the epilogue expects but dst
// Gives    shape, src, bias, dst, and what the epilogue gives
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dst: array<Dst4>;
#include epilogue RESIDUAL_BINDING=RESIDUAL_BINDING

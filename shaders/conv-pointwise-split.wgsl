// Pointwise (1×1) convolution with the input channels split over invocations, for few pixels and many channels:
// dst = activate(src · weights + bias) [+ residual].
//
// src      [pixels][cin4]          NHWC, four channels a vec4; pixels = batch · height · width
// weights  [cin4][columns]         one vec4 over four input channels for each output channel ("dot" layout);
//                                  columns = output channels rounded up to 8
// bias     [columns / 4]
// dst      [pixels][cout4]
//
// A workgroup of 8 × SLICES = 8 invocations computes 32 pixels × 8 channels. Invocation (x, y) sums every eighth vec4 of
// input channels, from y on, for pixels 4·x to 4·x + 3; the partial sums meet in workgroup memory, where each invocation
// adds those of one pixel and four channels, always in the same order.
struct Shape {
  pixels: u32, cin4: u32, cout4: u32, columns: u32, low: f32, high: f32, shift: f32, scale: f32, times_input: u32,
}

#include convolution RESIDUAL_BINDING=5 PIECEWISE=1 OPTIONAL=0
@group(0) @binding(2) var<storage, read> weights: array<Weight4>;

const SLICES = 8u;

// [slice][pixel of 32][group of four channels of 2]
var<workgroup> shares: array<vec4f, 512>;

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = workgroup.y * 8u;
  let pixel = workgroup.x * 32u + local.x * 4u;
#unroll p 4
  let row$p = min(pixel + $(p)u, shape.pixels - 1u) * shape.cin4;
#unroll c 8
  var sum$(p)_$c = 0.0;
#end
#end
  for (var k = local.y; k < shape.cin4; k += SLICES) {
    let column = k * shape.columns + channel;
#unroll p 4
    let x$p = load_src(src[row$p + k]);
#end
#include dot-tile PIXELS=4 CHANNELS=8 sum=sum weight=load_weight(weights[column + $(c)u])
  }
#unroll p 4
#unroll q 2
  shares[local.y * 64u + (local.x * 4u + $(p)u) * 2u + $(q)u] = vec4f(sum$(p)_$(4*q), sum$(p)_$(4*q+1), sum$(p)_$(4*q+2), sum$(p)_$(4*q+3));
#end
#end
  workgroupBarrier();
  let out_pixel = workgroup.x * 32u + lane / 2u;
  let channel4 = channel / 4u + lane % 2u;
  if (out_pixel < shape.pixels && channel4 < shape.cout4) {
    var total = bias[channel4];
    for (var slice = 0u; slice < SLICES; slice++) { total += shares[slice * 64u + lane]; }
    finish(total, out_pixel * shape.cout4 + channel4);
  }
}

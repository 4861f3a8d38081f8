// Pointwise (1×1) convolution through workgroup memory: dst = activate(src · weights + bias) [+ residual].
//
// src      [pixels][cin4]          NHWC, four channels a vec4; pixels = batch · height · width
// weights  [cin4][columns]         one vec4 over four input channels for each output channel ("dot" layout);
//                                  columns = output channels rounded up to TILE
// bias     [columns / 4]
// dst      [pixels][cout4]
//
// A workgroup of 8 × 8 invocations computes TILE = 32 pixels × 32 channels. DEPTH vec4 of input channels at a time, it
// brings the pixels and weights that all of its invocations need into workgroup memory, each once; an invocation then
// adds to its 4 pixels × 4 channels: pixels y, y + 8, … and channels 4·x to 4·x + 3. Both lie there so that neighbours read
// neighbours, no two of them in one bank: [k][pixel], with a gap, and [k][channel of four][x].
struct Shape {
  pixels: u32, cin4: u32, cout4: u32, columns: u32, low: f32, high: f32, shift: f32, scale: f32, times_input: u32,
}

#include convolution RESIDUAL_BINDING=5 PIECEWISE=1 OPTIONAL=0
@group(0) @binding(2) var<storage, read> weights: array<Weight4>;

const TILE = 32u;
const DEPTH = 4u;
const PITCH = TILE + 2u;

var<workgroup> pixels_of_tile: array<vec4f, DEPTH * PITCH>;
var<workgroup> weights_of_tile: array<vec4f, DEPTH * TILE>;

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = workgroup.y * TILE;
  let pixel = workgroup.x * TILE;
#unroll p 4
#unroll c 4
  var sum$(p)_$c = 0.0;
#end
#end
  for (var base = 0u; base < shape.cin4; base += DEPTH) {
    // 128 vec4 of each for 64 invocations. Past the last input channel both are zero: what lies there may not be finite.
    for (var i = lane; i < TILE * DEPTH; i += 64u) {
      let k = base + i % DEPTH;
      let p = min(pixel + i / DEPTH, shape.pixels - 1u);
      pixels_of_tile[i % DEPTH * PITCH + i / DEPTH] = select(vec4f(0.0), load_src(src[p * shape.cin4 + min(k, shape.cin4 - 1u)]), k < shape.cin4);
      let row = base + i / TILE;
      let w = load_weight(weights[min(row, shape.cin4 - 1u) * shape.columns + channel + i % TILE]);
      weights_of_tile[i / TILE * TILE + i % 4u * 8u + i % TILE / 4u] = select(vec4f(0.0), w, row < shape.cin4);
    }
    workgroupBarrier();
#unroll k 4
    {
#unroll p 4
      let x$p = pixels_of_tile[$(k)u * PITCH + local.y + $(8*p)u];
#end
#include dot-tile K=k PIXELS=4 CHANNELS=4 sum=sum weight=weights_of_tile[$(K)u * TILE + $(8*c)u + local.x]
    }
#end
    workgroupBarrier();
  }
  let channel4 = channel / 4u + local.x;
#unroll p 4
  if (pixel + local.y + $(8*p)u < shape.pixels && channel4 < shape.cout4) {
    finish(vec4f(sum$(p)_0, sum$(p)_1, sum$(p)_2, sum$(p)_3) + bias[channel4], (pixel + local.y + $(8*p)u) * shape.cout4 + channel4);
  }
#end
}

// An inverted residual block in one kernel (Sandler et al. 2018, "MobileNetV2", section 3.3), or a part of it:
// dst = project(depthwise(expand(src))) [+ residual]. What lies between never leaves workgroup memory.
//
// src                [batch][in_height][in_width][cin4]       NHWC, four channels a vec4
// expand_weights     [cin4][hidden]                           one vec4 over four inputs for each hidden channel
// expand_bias        [hidden / 4]
// depthwise_weights  [KERNEL_Y · KERNEL_X][hidden / 4]
// depthwise_bias     [hidden / 4]
// project_weights    [hidden / 4][columns]                    one vec4 over four hidden channels for each output channel
// project_bias       [columns / 4]
// dst                [batch][out_height][out_width][cout4]
//
// `hidden` is rounded up to 4 · CHUNK4, `columns` to CHANNELS, the rest zero. Without EXPAND, src holds the hidden channels.
//
// A workgroup computes a tile of TILE_Y × TILE_X pixels, all output channels. It goes through the hidden channels in
// chunks: expands the tile's inputs (zeros outside, as the depthwise convolution pads what is expanded), filters them,
// and adds them to the output, of which each invocation holds HELD pixels × CHANNELS channels.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, tiles_y: u32,
  cin4: u32, hidden: u32, chunks: u32, chunk4: u32, cout4: u32, columns: u32, pad_top: i32, pad_left: i32, kernel_y: u32,
}

override EXPAND_ACTIVATION: u32;
override DEPTHWISE_ACTIVATION: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read> depthwise_weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> project_weights: array<Weight4>;
// Depthwise, project and, with EXPAND, expand bias, one after another.
@group(0) @binding(4) var<storage, read> biases: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dst: array<Dst4>;
#if EXPAND
@group(0) @binding(6) var<storage, read> expand_weights: array<Weight4>;
#endif
#include epilogue RESIDUAL_BINDING=6+EXPAND PIECEWISE=0 OPTIONAL=0

const PLACES = $(INPUT_Y * INPUT_X)u;
const PIXELS = $(TILE_Y * TILE_X)u;
const CHUNK4 = $(CHUNK4)u;
const THREADS = $(THREADS)u;

var<workgroup> expanded: array<vec4f, PLACES * CHUNK4>;
var<workgroup> filtered: array<vec4f, PIXELS * CHUNK4>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
#include block-tile
  let base = image * shape.in_height * shape.in_width;
  let hidden4 = shape.hidden / 4u;
#include project-begin CHANNELS=CHANNELS

  for (var chunk = 0u; chunk < shape.chunks; chunk++) {
    let first4 = chunk * CHUNK4;
#include block-input bias=hidden4 + shape.columns / 4u
    workgroupBarrier();

    for (var item = lane; item < PIXELS * CHUNK4; item += THREADS) {
      let place = item / CHUNK4;
      let e = item % CHUNK4;
      let corner = (place / $(TILE_X)u * $(STRIDE_Y * INPUT_X)u + place % $(TILE_X)u * $(STRIDE_X)u) * CHUNK4 + e;
      var value = biases[first4 + e];
      for (var ky = 0u; ky < shape.kernel_y; ky++) {
#unroll kx KERNEL_X
        value = fma(
          expanded[corner + (ky * $(DILATION_Y * INPUT_X)u + $(kx * DILATION_X)u) * CHUNK4],
          depthwise_weights[(ky * $(KERNEL_X)u + $(kx)u) * hidden4 + first4 + e], value);
#end
      }
      filtered[item] = activation(DEPTHWISE_ACTIVATION, value);
    }
    workgroupBarrier();

#include project-chunk CHANNELS=CHANNELS hidden=filtered
    // The next chunk overwrites `expanded` only, which nobody reads any more, and `filtered` after another barrier.
  }

#include project-end CHANNELS=CHANNELS bias=hidden4
}

// Two convolutions in one kernel: dst = project(first(src)) [+ residual], where the hidden channels never leave workgroup
// memory. The first is a normal convolution (a fused inverted bottleneck) or, with START, pointwise after a depthwise
// convolution of the input (a ConvNeXt-like block; both of Qin et al. 2024, "MobileNetV4", section 3).
//
// src              [batch][in_height][in_width][cin4]            NHWC, four channels a vec4
// first_weights    [taps][cin4][hidden]                          one vec4 over four inputs for each hidden channel
// project_weights  [hidden / 4][columns]                         one vec4 over four hidden channels for each output
// biases           first [hidden / 4], project [columns / 4], and with START depthwise [cin4]
// start_weights    [KERNEL_Y · KERNEL_X][cin4]
// dst              [batch][out_height][out_width][cout4]
//
// `hidden` is rounded up to 4 · CHUNK4, `columns` to CHANNELS, the rest zero. A workgroup computes a tile of TILE_Y × TILE_X
// pixels, all output channels. It goes through the hidden channels in chunks: computes them for the tile's pixels, and
// adds them to the output, of which each invocation holds HELD pixels × CHANNELS channels.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, tiles_y: u32,
  cin4: u32, hidden: u32, chunks: u32, chunk4: u32, cout4: u32, columns: u32, pad_top: i32, pad_left: i32,
}

override FIRST_ACTIVATION: u32;
override START_ACTIVATION: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read> first_weights: array<Weight4>;
@group(0) @binding(3) var<storage, read> project_weights: array<Weight4>;
@group(0) @binding(4) var<storage, read> biases: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dst: array<Dst4>;
#if START
@group(0) @binding(6) var<storage, read> start_weights: array<vec4f>;
#endif
#include epilogue RESIDUAL_BINDING=6+START PIECEWISE=0 OPTIONAL=0

const PIXELS = $(TILE_Y * TILE_X)u;
const CHUNK4 = $(CHUNK4)u;
const THREADS = $(THREADS)u;

var<workgroup> hidden_of_tile: array<vec4f, PIXELS * CHUNK4>;
#if START
var<workgroup> started: array<vec4f, PIXELS * $(CIN4)u>;
#endif

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
#include block-tile
  let base = image * shape.in_height * shape.in_width;
#include project-begin CHANNELS=CHANNELS

#if START
  for (var item = lane; item < PIXELS * shape.cin4; item += THREADS) {
    let place = item / shape.cin4;
    let c = item - place * shape.cin4;
    var value = biases[(shape.hidden + shape.columns) / 4u + c];
    for (var ky = 0u; ky < $(KERNEL_Y)u; ky++) {
      for (var kx = 0u; kx < $(KERNEL_X)u; kx++) {
        let y = in_y + i32(place / $(TILE_X)u * $(STRIDE_Y)u + ky * $(DILATION_Y)u);
        let x = in_x + i32(place % $(TILE_X)u * $(STRIDE_X)u + kx * $(DILATION_X)u);
        let inside = u32(y) < shape.in_height && u32(x) < shape.in_width;
        let at = (base + select(0u, u32(y) * shape.in_width + u32(x), inside)) * shape.cin4 + c;
        let weight = start_weights[(ky * $(KERNEL_X)u + kx) * shape.cin4 + c];
        value = fma(select(vec4f(0.0), load_src(src[at]), inside), weight, value);
      }
    }
    started[place * $(CIN4)u + c] = activation(START_ACTIVATION, value);
  }
  workgroupBarrier();
#endif

  for (var chunk = 0u; chunk < shape.chunks; chunk++) {
    let first4 = chunk * CHUNK4;
    // EXPAND_PIXELS pixels × four hidden channels at a time.
    for (var item = lane; item < PIXELS / $(EXPAND_PIXELS)u * CHUNK4; item += THREADS) {
      let e = item / (PIXELS / $(EXPAND_PIXELS)u);
      let place = (item - e * (PIXELS / $(EXPAND_PIXELS)u)) * $(EXPAND_PIXELS)u;
#unroll p EXPAND_PIXELS
#unroll c 4
      var hidden$(p)_$c = 0.0;
#end
#end
      var column = (first4 + e) * 4u;
#if START
#unroll p EXPAND_PIXELS
      let row$p = (place + $(p)u) * $(CIN4)u;
#end
#else
      for (var ky = 0u; ky < $(KERNEL_Y)u; ky++) {
      for (var kx = 0u; kx < $(KERNEL_X)u; kx++) {
#unroll p EXPAND_PIXELS
      let y$p = in_y + i32((place + $(p)u) / $(TILE_X)u * $(STRIDE_Y)u + ky * $(DILATION_Y)u);
      let x_$p = in_x + i32((place + $(p)u) % $(TILE_X)u * $(STRIDE_X)u + kx * $(DILATION_X)u);
      let inside$p = u32(y$p) < shape.in_height && u32(x_$p) < shape.in_width;
      let row$p = (base + select(0u, u32(y$p) * shape.in_width + u32(x_$p), inside$p)) * shape.cin4;
#end
#endif
      for (var k = 0u; k < shape.cin4; k++) {
#unroll p EXPAND_PIXELS
#if START
        let x$p = started[row$p + k];
#else
        let x$p = select(vec4f(0.0), load_src(src[row$p + k]), inside$p);
#endif
#end
#include dot-tile PIXELS=EXPAND_PIXELS CHANNELS=4 sum=hidden weight=load_weight(first_weights[column + $(c)u])
        column += shape.hidden;
      }
#if !START
      }
      }
#endif
      let bias = biases[first4 + e];
#unroll p EXPAND_PIXELS
      hidden_of_tile[(place + $(p)u) * CHUNK4 + e] =
        activation(FIRST_ACTIVATION, vec4f(hidden$(p)_0, hidden$(p)_1, hidden$(p)_2, hidden$(p)_3) + bias);
#end
    }
    workgroupBarrier();

#include project-chunk CHANNELS=CHANNELS hidden=hidden_of_tile
    workgroupBarrier();
  }

#include project-end CHANNELS=CHANNELS bias=shape.hidden / 4u
}

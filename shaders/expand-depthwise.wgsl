// The first half of a block with squeeze-and-excitation (Howard et al. 2019, "MobileNetV3", section 5.1) in one kernel:
// dst = depthwise(expand(src)), and the sums of each tile of dst, from which the next kernel takes its means.
//
// src                [batch][in_height][in_width][cin4]          NHWC, four channels a vec4
// depthwise_weights  [KERNEL_Y · KERNEL_X][hidden / 4]
// biases             depthwise [hidden / 4], then with EXPAND expand [hidden / 4]
// expand_weights     [cin4][hidden]                              one vec4 over four inputs for each hidden channel
// dst                [batch][out_height][out_width][hidden4]
// sums               [batch][tiles][hidden4]
//
// `hidden` is rounded up to 4 · CHUNK4, the rest zero. Without EXPAND, src holds the hidden channels.
//
// A workgroup computes a tile of TILE_Y × TILE_X pixels of 4 · CHUNK4 channels: it expands the tile's inputs (zeros
// outside, as the depthwise convolution pads what is expanded), filters them, and adds each channel's tile up in a fixed
// order.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, tiles_y: u32, tiles_x: u32,
  cin4: u32, hidden: u32, hidden4: u32, pad_top: i32, pad_left: i32, kernel_y: u32,
}

override EXPAND_ACTIVATION: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read> depthwise_weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> biases: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dst: array<Dst4>;
@group(0) @binding(5) var<storage, read_write> sums: array<Dst4>;
#if EXPAND
@group(0) @binding(6) var<storage, read> expand_weights: array<Weight4>;
#endif

const PLACES = $(INPUT_Y * INPUT_X)u;
const PIXELS = $(TILE_Y * TILE_X)u;
const CHUNK4 = $(CHUNK4)u;
const THREADS = 64u;

var<workgroup> expanded: array<vec4f, PLACES * CHUNK4>;
var<workgroup> filtered: array<vec4f, PIXELS * CHUNK4>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
#include block-tile
  let first4 = workgroup.z * CHUNK4;
  let base = image * shape.in_height * shape.in_width;
  let row_of_weights = shape.hidden / 4u;

#include block-input bias=row_of_weights
  workgroupBarrier();

  for (var item = lane; item < PIXELS * CHUNK4; item += THREADS) {
    let place = item / CHUNK4;
    let e = item % CHUNK4;
    let y = place / $(TILE_X)u;
    let x = place % $(TILE_X)u;
    let corner = (y * $(STRIDE_Y * INPUT_X)u + x * $(STRIDE_X)u) * CHUNK4 + e;
    var sum = biases[first4 + e];
    for (var ky = 0u; ky < shape.kernel_y; ky++) {
#unroll kx KERNEL_X
      sum = fma(
        expanded[corner + (ky * $(DILATION_Y * INPUT_X)u + $(kx * DILATION_X)u) * CHUNK4],
        depthwise_weights[(ky * $(KERNEL_X)u + $(kx)u) * row_of_weights + first4 + e], sum);
#end
    }
    let value = activate(sum);
    let inside = out_y + y < shape.out_height && out_x + x < shape.out_width;
    filtered[item] = select(vec4f(0.0), value, inside);
    if (inside && first4 + e < shape.hidden4) {
      let pixel = (image * shape.out_height + out_y + y) * shape.out_width + out_x + x;
      dst[pixel * shape.hidden4 + first4 + e] = store_dst(value);
    }
  }
  workgroupBarrier();

  if (lane < CHUNK4 && first4 + lane < shape.hidden4) {
    var total = vec4f(0.0);
    for (var place = 0u; place < PIXELS; place++) { total += filtered[place * CHUNK4 + lane]; }
    let tile = (image * shape.tiles_y + tile_y) * shape.tiles_x + workgroup.x;
    sums[tile * shape.hidden4 + first4 + lane] = store_dst(total);
  }
}

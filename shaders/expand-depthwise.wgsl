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
  cin4: u32, hidden: u32, hidden4: u32, pad_top: i32, pad_left: i32,
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
  let image = workgroup.y / shape.tiles_y;
  let tile_y = workgroup.y - image * shape.tiles_y;
  let out_y = tile_y * $(TILE_Y)u;
  let out_x = workgroup.x * $(TILE_X)u;
  let first4 = workgroup.z * CHUNK4;
  let in_y = i32(out_y * $(STRIDE_Y)u) - shape.pad_top;
  let in_x = i32(out_x * $(STRIDE_X)u) - shape.pad_left;
  let base = image * shape.in_height * shape.in_width;
  let row_of_weights = shape.hidden / 4u;

#if EXPAND
  // Four neighbours of the flattened tile × four hidden channels at a time.
  for (var item = lane; item < (PLACES + 3u) / 4u * CHUNK4; item += THREADS) {
    let e = item / ((PLACES + 3u) / 4u);
    let place = (item - e * ((PLACES + 3u) / 4u)) * 4u;
#unroll p 4
    let place$p = min(place + $(p)u, PLACES - 1u);
    let y$p = in_y + i32(place$p / $(INPUT_X)u);
    let x$p = in_x + i32(place$p % $(INPUT_X)u);
    let inside$p = u32(y$p) < shape.in_height && u32(x$p) < shape.in_width;
    let row$p = (base + select(0u, u32(y$p) * shape.in_width + u32(x$p), inside$p)) * shape.cin4;
#unroll c 4
    var hidden$(p)_$c = 0.0;
#end
#end
    var column = (first4 + e) * 4u;
    for (var k = 0u; k < shape.cin4; k++) {
#unroll p 4
      let v$p = load_src(src[row$p + k]);
#end
#unroll c 4
      let w$c = load_weight(expand_weights[column + $(c)u]);
#unroll p 4
      hidden$(p)_$c = fma(v$p.x, w$c.x, fma(v$p.y, w$c.y, fma(v$p.z, w$c.z, fma(v$p.w, w$c.w, hidden$(p)_$c))));
#end
#end
      column += shape.hidden;
    }
    let bias = biases[row_of_weights + first4 + e];
#unroll p 4
    if (place + $(p)u < PLACES) {
      let value = activation(EXPAND_ACTIVATION, vec4f(hidden$(p)_0, hidden$(p)_1, hidden$(p)_2, hidden$(p)_3) + bias);
      expanded[place$p * CHUNK4 + e] = select(vec4f(0.0), value, inside$p);
    }
#end
  }
#else
  for (var item = lane; item < PLACES * CHUNK4; item += THREADS) {
    let place = item / CHUNK4;
    let c = first4 + item % CHUNK4;
    let y = in_y + i32(place / $(INPUT_X)u);
    let x = in_x + i32(place % $(INPUT_X)u);
    let inside = u32(y) < shape.in_height && u32(x) < shape.in_width && c < shape.cin4;
    let at = (base + select(0u, u32(y) * shape.in_width + u32(x), inside)) * shape.cin4 + min(c, shape.cin4 - 1u);
    expanded[item] = select(vec4f(0.0), load_src(src[at]), inside);
  }
#endif
  workgroupBarrier();

  for (var item = lane; item < PIXELS * CHUNK4; item += THREADS) {
    let place = item / CHUNK4;
    let e = item % CHUNK4;
    let y = place / $(TILE_X)u;
    let x = place % $(TILE_X)u;
    let corner = (y * $(STRIDE_Y * INPUT_X)u + x * $(STRIDE_X)u) * CHUNK4 + e;
    var sum = biases[first4 + e];
    for (var ky = 0u; ky < $(KERNEL_Y)u; ky++) {
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

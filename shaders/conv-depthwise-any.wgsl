// Depthwise convolution of any kernel, stride, dilation and padding by one pipeline, which compiles soon:
// dst = activate(conv(src) + bias) [+ residual].
//
// src      [batch][in_height][in_width][channels4]      NHWC, four channels a vec4
// weights  [kernel_y][kernel_x][channels4]
// bias     [channels4]
// dst      [batch][out_height][out_width][channels4]
//
// One invocation computes four neighbours of a row, of four channels; places outside are zero. The residual is always
// bound, and read where the shape says so.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, channels4: u32,
  kernel_y: u32, kernel_x: u32, stride_y: u32, stride_x: u32, dilation_y: u32, dilation_x: u32,
  pad_top: i32, pad_left: i32, adds_residual: u32, activation: u32,
}

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dst: array<Dst4>;
@group(0) @binding(5) var<storage, read> residual: array<Side4>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let out_x = 4u * id.y;
  let image = id.z / shape.out_height;
  let out_y = id.z - image * shape.out_height;
  if (c >= shape.channels4 || out_x >= shape.out_width) { return; }
  let top = i32(out_y * shape.stride_y) - shape.pad_top;
  let last_x = i32(shape.in_width) - 1;
#unroll p 4
  let left$p = i32((out_x + $(p)u) * shape.stride_x) - shape.pad_left;
  var sum$p = bias[c];
#end
  for (var ky = 0u; ky < shape.kernel_y; ky++) {
    let y = top + i32(ky * shape.dilation_y);
    if (y < 0 || y >= i32(shape.in_height)) { continue; }
    let row = (image * shape.in_height + u32(y)) * shape.in_width;
    for (var kx = 0u; kx < shape.kernel_x; kx++) {
      let weight = weights[(ky * shape.kernel_x + kx) * shape.channels4 + c];
#unroll p 4
      let x$p = left$p + i32(kx * shape.dilation_x);
      let value$p = load_src(src[(row + u32(clamp(x$p, 0, last_x))) * shape.channels4 + c]);
      sum$p = fma(select(vec4f(0.0), value$p, x$p >= 0 && x$p <= last_x), weight, sum$p);
#end
    }
  }
  let sums = array(sum0, sum1, sum2, sum3);
  let first = (id.z * shape.out_width + out_x) * shape.channels4 + c;
  for (var p = 0u; p < min(4u, shape.out_width - out_x); p++) {
    let at = first + p * shape.channels4;
    var value = activation(shape.activation, sums[p]);
    if (shape.adds_residual == 1u) { value += load_side(residual[at]); }
    dst[at] = store_dst(value);
  }
}

// Depthwise convolution of any kernel, stride, dilation and padding by one pipeline, which compiles soon:
// dst = activate(conv(src) + bias) [+ residual].
//
// src      [batch][in_height][in_width][channels4]      NHWC, four channels a vec4
// weights  [kernel_y][kernel_x][channels4]
// bias     [channels4]
// dst      [batch][out_height][out_width][channels4]
//
// One invocation computes TILE_PIXELS neighbours of a row, of four channels; places outside are zero: the number of a
// column left of the first wraps, and is larger than the last. The residual is always bound, and read where the shape
// says so.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, channels4: u32,
  kernel_y: u32, kernel_x: u32, stride_y: u32, stride_x: u32, dilation_y: u32, dilation_x: u32,
  pad_top: i32, pad_left: u32, adds_residual: u32, low: f32, high: f32, shift: f32, scale: f32, times_input: u32,
}

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;

#include convolution RESIDUAL=1 RESIDUAL_BINDING=5 PIECEWISE=1 OPTIONAL=1
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let out_x = $(TILE_PIXELS)u * id.y;
  let image = id.z / shape.out_height;
  let out_y = id.z - image * shape.out_height;
  if (c >= shape.channels4 || out_x >= shape.out_width) { return; }
  let top = i32(out_y * shape.stride_y) - shape.pad_top;
  let last_x = shape.in_width - 1u;
#unroll p TILE_PIXELS
  let left$p = (out_x + $(p)u) * shape.stride_x - shape.pad_left;
  var sum$p = bias[c];
#end
  for (var ky = 0u; ky < shape.kernel_y; ky++) {
    let y = top + i32(ky * shape.dilation_y);
    if (y < 0 || y >= i32(shape.in_height)) { continue; }
    let row = (image * shape.in_height + u32(y)) * shape.in_width;
    for (var kx = 0u; kx < shape.kernel_x; kx++) {
      let weight = weights[(ky * shape.kernel_x + kx) * shape.channels4 + c];
#unroll p TILE_PIXELS
      let x$p = left$p + kx * shape.dilation_x;
      let value$p = load_src(src[(row + min(x$p, last_x)) * shape.channels4 + c]);
      sum$p = fma(select(vec4f(0.0), value$p, x$p <= last_x), weight, sum$p);
#end
    }
  }
  let sums = array(
#unroll p TILE_PIXELS
    sum$p,
#end
  );
  let first = (id.z * shape.out_width + out_x) * shape.channels4 + c;
  for (var p = 0u; p < min($(TILE_PIXELS)u, shape.out_width - out_x); p++) {
    finish(sums[p], first + p * shape.channels4);
  }
}

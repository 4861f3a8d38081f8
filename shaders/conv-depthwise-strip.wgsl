// Depthwise convolution down a strip: dst = activate(conv(src) + bias) [+ residual].
//
// src      [batch][in_height][in_width][channels4]      NHWC, four channels a vec4
// weights  [kernel_y][kernel_x][channels4]
// bias     [channels4]
// dst      [batch][out_height][out_width][channels4]
//
// One invocation computes TILE_X columns × `rows` rows of four channels, row after row: STRIDE_Y rows of inputs are read
// and added to the AHEAD + 1 rows of outputs that they touch; the oldest of these is then complete and stored. So each
// input is read once in a strip, and the code is that of one row. The output is no narrower than TILE_X; a last tile
// that would stick out is moved back inside and stores only what no other tile does, so that only the first PAD_LEFT
// and last PAD_RIGHT columns of the inputs can lie outside: these are zero, the others need no test.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, channels4: u32, rows: u32, strips: u32, batch: u32,
}

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;
override WORKGROUP_Z: u32;

#include convolution RESIDUAL_BINDING=5 PIECEWISE=0 OPTIONAL=0
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let image = id.z / shape.strips;
  let first = (id.z - image * shape.strips) * shape.rows;
  let tile_x = id.y * $(TILE_X)u;
  if (c >= shape.channels4 || tile_x >= shape.out_width || image >= shape.batch) { return; }
  let out_x = min(tile_x, shape.out_width - $(TILE_X)u);
  let skip_x = tile_x - out_x;
  let count = min(shape.rows, shape.out_height - first);
  let in_x = i32(out_x * $(STRIDE_X)u) - $(PAD_LEFT);
  var in_y = i32(first * $(STRIDE_Y)u) - $(PAD_TOP);
  let pitch = shape.in_width * shape.channels4;
  let out_pitch = shape.out_width * shape.channels4;
  // Unsigned arithmetic wraps where a row lies outside, and no such row is read.
  var row = image * shape.in_height * pitch + u32(in_y) * pitch + u32(in_x) * shape.channels4 + c;
  var at = (image * shape.out_height + first) * out_pitch + out_x * shape.channels4 + c;
#unroll x INPUT_X
#if x < PAD_LEFT || x >= INPUT_X - PAD_RIGHT
  let inside$x = u32(in_x + $x) < shape.in_width;
#endif
#end
#unroll ky KERNEL_Y
#unroll kx KERNEL_X
  let w$(ky)_$kx = weights[$(ky*KERNEL_X+kx)u * shape.channels4 + c];
#end
#end
  let start = bias[c];
  // sum0 belongs to output row i, sum1 to the one before it, and so on.
#unroll a AHEAD+1
#unroll x TILE_X
  var sum$(a)_$x = start;
#end
#end
  for (var i = 0u; i < count + $(AHEAD)u; i++) {
#unroll j STRIDE_Y
    if (u32(in_y + $j) < shape.in_height) {
      let from$j = row + $(j)u * pitch;
#unroll x INPUT_X
#if x < PAD_LEFT || x >= INPUT_X - PAD_RIGHT
      let x$x = select(vec4f(0.0), load_src(src[from$j + $(x)u * shape.channels4]), inside$x);
#else
      let x$x = load_src(src[from$j + $(x)u * shape.channels4]);
#endif
#end
#unroll a AHEAD+1
#if a * STRIDE_Y + j < KERNEL_Y
#unroll kx KERNEL_X
#unroll x TILE_X
      sum$(a)_$x = fma(x$(x*STRIDE_X+kx), w$(a*STRIDE_Y+j)_$kx, sum$(a)_$x);
#end
#end
#endif
#end
    }
#end
    if (i >= $(AHEAD)u) {
#unroll x TILE_X
      if ($(x)u >= skip_x) { finish(sum$(AHEAD)_$x, at + $(x)u * shape.channels4); }
#end
      at += out_pitch;
    }
#unroll a AHEAD
#unroll x TILE_X
    sum$(AHEAD-a)_$x = sum$(AHEAD-a-1)_$x;
#end
#end
#unroll x TILE_X
    sum0_$x = start;
#end
    in_y += $(STRIDE_Y);
    row += $(STRIDE_Y)u * pitch;
  }
}

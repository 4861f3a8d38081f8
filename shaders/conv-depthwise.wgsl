// Depthwise convolution: each channel with its own kernel; dst = activate(conv(src) + bias) [+ residual].
//
// src      [batch][in_height][in_width][channels4]      NHWC, four channels a vec4
// weights  [kernel_y][kernel_x][channels4]
// bias     [channels4]
// dst      [batch][out_height][out_width][channels4]
//
// One invocation computes a tile of TILE_Y × TILE_X outputs of four channels. It reads each input of the tile once,
// a row at a time, and adds it to every output that it touches; places outside are zero.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32,
  channels4: u32, pad_top: i32, pad_left: i32, tiles_y: u32, batch: u32,
}

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;
override WORKGROUP_Z: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Stored4>;
@group(0) @binding(2) var<storage, read> weights: array<Stored4>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dst: array<Stored4>;
#if RESIDUAL
@group(0) @binding(5) var<storage, read> residual: array<Stored4>;
#endif

fn finish(sum: vec4f, at: u32) {
  var value = activate(sum);
#if RESIDUAL
  value += load4(residual[at]);
#endif
  dst[at] = store4(value);
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let image = id.z / shape.tiles_y;
  let out_y = (id.z - image * shape.tiles_y) * $(TILE_Y)u;
  let out_x = id.y * $(TILE_X)u;
  if (c >= shape.channels4 || out_x >= shape.out_width || id.z >= shape.tiles_y * shape.batch) { return; }
  let in_y = i32(out_y * $(STRIDE_Y)u) - shape.pad_top;
  let in_x = i32(out_x * $(STRIDE_X)u) - shape.pad_left;
  let last_y = i32(shape.in_height) - 1;
  let last_x = i32(shape.in_width) - 1;
  let pitch = shape.in_width * shape.channels4;
  let base = image * shape.in_height * pitch + c;

#unroll x TILE_X*STRIDE_X-STRIDE_X+KERNEL_X*DILATION_X-DILATION_X+1
  let column$x = u32(clamp(in_x + $x, 0, last_x)) * shape.channels4;
  let inside$x = in_x + $x >= 0 && in_x + $x <= last_x;
#end
#unroll ky KERNEL_Y
#unroll kx KERNEL_X
  let w$(ky)_$kx = load4(weights[$(ky*KERNEL_X+kx)u * shape.channels4 + c]);
#end
#end
#unroll y TILE_Y
#unroll x TILE_X
  var sum$(y)_$x = bias[c];
#end
#end
#unroll r TILE_Y*STRIDE_Y-STRIDE_Y+KERNEL_Y*DILATION_Y-DILATION_Y+1
  {
    let y = in_y + $r;
    let row = base + u32(clamp(y, 0, last_y)) * pitch;
    let inside = y >= 0 && y <= last_y;
#unroll x TILE_X*STRIDE_X-STRIDE_X+KERNEL_X*DILATION_X-DILATION_X+1
    let x$x = select(vec4f(0.0), load4(src[row + column$x]), inside && inside$x);
#end
#unroll y TILE_Y
#unroll ky KERNEL_Y
#if r == y * STRIDE_Y + ky * DILATION_Y
#unroll kx KERNEL_X
#unroll x TILE_X
    sum$(y)_$x = fma(x$(x*STRIDE_X+kx*DILATION_X), w$(ky)_$kx, sum$(y)_$x);
#end
#end
#endif
#end
#end
  }
#end
#unroll y TILE_Y
  if (out_y + $(y)u < shape.out_height) {
    let at = ((image * shape.out_height + out_y + $(y)u) * shape.out_width + out_x) * shape.channels4 + c;
#unroll x TILE_X
    if (out_x + $(x)u < shape.out_width) { finish(sum$(y)_$x, at + $(x)u * shape.channels4); }
#end
  }
#end
}

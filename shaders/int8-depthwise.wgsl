// Depthwise convolution of stored integers. Sums are floats, which are exact: 49 products are less than 2^24.
//
// src      [batch][in_height][in_width][channels4]      four channels to a word
// weights  [kernel_y][kernel_x][channels4]              likewise
// channels [channels4]                                  bias, in which the zero point of the inputs is, and multiplier
// dst      [batch][out_height][out_width][channels4]
//
// One invocation computes a tile of TILE_Y × TILE_X outputs of four channels; the output is no smaller than a tile. Lanes
// lie along the channels, then along the tiles of a row, in one line; a row of tiles is a row of workgroups. A last tile that
// would stick out is moved back inside and stores only what no other tile does, so that only the first PAD_LEFT and last
// PAD_RIGHT columns of the tile's inputs can lie outside: these are the inputs' zero point, as rows outside are; the others need
// no test. Each input is read once, a row at a time, and added at once to every output that it touches.
struct Shape { in_height: u32, in_width: u32, out_height: u32, out_width: u32, channels4: u32, outside: u32,
  weight_zero: i32, least: i32, most: i32, zero_point: i32,
}

override WORKGROUP_X: u32;

#include int8-convolution
@group(0) @binding(2) var<storage, read> weights: array<u32>;

fn weight_of(word: u32) -> vec4f { return floats_of(word) - f32(shape.weight_zero); }

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) workgroup: vec3u) {
  let tile = id.x / shape.channels4;
  let c = id.x - tile * shape.channels4;
  let tile_x = tile * $(TILE_X)u;
  if (tile_x >= shape.out_width) { return; }
  let image = workgroup.z;
  let tile_y = workgroup.y * $(TILE_Y)u;
  let out_y = min(tile_y, shape.out_height - $(TILE_Y)u);
  let out_x = min(tile_x, shape.out_width - $(TILE_X)u);
  let in_y = i32(out_y * $(STRIDE_Y)u) - $(PAD_TOP);
  let in_x = i32(out_x * $(STRIDE_X)u) - $(PAD_LEFT);
  let pitch = shape.in_width * shape.channels4;
  // The tile's first input; unsigned arithmetic wraps where it lies outside, and no such place is read unmasked.
  let start = image * shape.in_height * pitch + u32(in_y) * pitch + u32(in_x) * shape.channels4 + c;
#unroll x INPUT_X
#if x < PAD_LEFT || x >= INPUT_X - PAD_RIGHT
  let inside$x = u32(in_x + $x) < shape.in_width;
#endif
#end
#if TILE_Y > 1
#unroll ky KERNEL_Y
#unroll kx KERNEL_X
  let w$(ky)_$kx = weight_of(weights[$(ky*KERNEL_X+kx)u * shape.channels4 + c]);
#end
#end
#endif
#unroll y TILE_Y
#unroll x TILE_X
  var sum$(y)_$x = vec4f(0.0);
#end
#end
#unroll r INPUT_Y
#if TILE_Y > 1 || r % DILATION_Y == 0
  {
    let inside_y = u32(in_y + $r) < shape.in_height;
    let row = start + $(r)u * pitch;
#unroll x INPUT_X
#if x < PAD_LEFT || x >= INPUT_X - PAD_RIGHT
    let x$x = floats_of(select(shape.outside, src[row + $(x)u * shape.channels4], inside_y && inside$x));
#else
    let x$x = floats_of(select(shape.outside, src[row + $(x)u * shape.channels4], inside_y));
#endif
#unroll kx KERNEL_X*(TILE_Y==1)
#if x == kx * DILATION_X
    let w$kx = weight_of(weights[$(r/DILATION_Y*KERNEL_X+kx)u * shape.channels4 + c]);
#endif
#unroll t TILE_X
#if x == t * STRIDE_X + kx * DILATION_X
    sum0_$t = fma(x$x, w$kx, sum0_$t);
#endif
#end
#end
#end
#unroll y TILE_Y*(TILE_Y>1)
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
#endif
#end
  let end = channels[c];
  let skip_y = tile_y - out_y;
  let skip_x = tile_x - out_x;
  let out_pitch = shape.out_width * shape.channels4;
  let at = (image * shape.out_height + out_y) * out_pitch + out_x * shape.channels4 + c;
#unroll y TILE_Y
  if ($(y)u >= skip_y) {
#unroll x TILE_X
    if ($(x)u >= skip_x) { finish(ended(vec4i(sum$(y)_$x), end), at + $(y)u * out_pitch + $(x)u * shape.channels4); }
#end
  }
#end
}

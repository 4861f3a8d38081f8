// Depthwise convolution: each channel with its own kernel; dst = activate(conv(src) + bias) [+ residual].
//
// src      [batch][in_height][in_width][channels4]      NHWC, four channels a vec4
// weights  [kernel_y][kernel_x][channels4]
// bias     [channels4]                                  with HALF followed by scales
// dst      [batch][out_height][out_width][channels4]
//
// One invocation computes a tile of TILE_Y × TILE_X outputs of four channels; the output is no smaller than a tile. Lanes
// lie along the channels, then along the tiles of a row, in one line, so that neighbours read and write neighbours and few
// idle; a row of tiles is a row of workgroups. A last tile that would stick out is moved back inside and stores only what no
// other tile does, so that only the first PAD_LEFT and last PAD_RIGHT columns of the tile's inputs can lie outside: these
// are zero, the others need no test. Each input is read once, a row at a time, and added at once to every output that it
// touches; a tile of one row reads a weight where it is first needed. So few values are alive together. Row SURE_ROW is
// always inside.
struct Shape { in_height: u32, in_width: u32, out_height: u32, out_width: u32, channels4: u32 }

override WORKGROUP_X: u32;

// With HALF inputs, weights and sums are halves: of SUM_ROWS rows of a kernel, where that has more, carried on in float32.
#if HALF
alias Term4 = vec4h;
fn term(stored: Src4) -> Term4 { return stored; }
#else
alias Term4 = vec4f;
fn term(stored: Src4) -> Term4 { return load_src(stored); }
#endif

#include convolution RESIDUAL_BINDING=5 PIECEWISE=0 OPTIONAL=0
@group(0) @binding(2) var<storage, read> weights: array<Term4>;

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
  let w$(ky)_$kx = weights[$(ky*KERNEL_X+kx)u * shape.channels4 + c];
#end
#end
#endif
#unroll y TILE_Y
#unroll x TILE_X
#if HALF
  var sum$(y)_$x = Term4(0.0);
  var carried$(y)_$x = vec4f(0.0);
#else
  var sum$(y)_$x = bias[c];
#endif
#end
#end
#unroll r INPUT_Y
#if TILE_Y > 1 || r % DILATION_Y == 0
  // Every other row is tested, also where it cannot lie outside: compilers then keep to one row at a time.
#if r == SURE_ROW
  {
#else
  if (u32(in_y + $r) < shape.in_height) {
#endif
    let row = start + $(r)u * pitch;
#unroll x INPUT_X
#if x < PAD_LEFT || x >= INPUT_X - PAD_RIGHT
    let x$x = select(Term4(0.0), term(src[row + $(x)u * shape.channels4]), inside$x);
#else
    let x$x = term(src[row + $(x)u * shape.channels4]);
#endif
#unroll kx KERNEL_X*(TILE_Y==1)
#if x == kx * DILATION_X
    let w$kx = weights[$(r/DILATION_Y*KERNEL_X+kx)u * shape.channels4 + c];
#endif
#unroll t TILE_X
#if x == t * STRIDE_X + kx * DILATION_X
    sum0_$t = fma(x$x, w$kx, sum0_$t);
#endif
#end
#end
#end
#if TILE_Y == 1 && HALF && (r / DILATION_Y + 1) % SUM_ROWS == 0
#unroll t TILE_X
    carried0_$t += vec4f(sum0_$t);
    sum0_$t = Term4(0.0);
#end
#endif
#unroll y TILE_Y*(TILE_Y>1)
#unroll ky KERNEL_Y
#if r == y * STRIDE_Y + ky * DILATION_Y
#unroll kx KERNEL_X
#unroll x TILE_X
    sum$(y)_$x = fma(x$(x*STRIDE_X+kx*DILATION_X), w$(ky)_$kx, sum$(y)_$x);
#end
#end
#if HALF && (ky + 1) % SUM_ROWS == 0
#unroll x TILE_X
    carried$(y)_$x += vec4f(sum$(y)_$x);
    sum$(y)_$x = Term4(0.0);
#end
#endif
#endif
#end
#end
  }
#endif
#end
  let skip_y = tile_y - out_y;
  let skip_x = tile_x - out_x;
  let out_pitch = shape.out_width * shape.channels4;
  let at = (image * shape.out_height + out_y) * out_pitch + out_x * shape.channels4 + c;
#if HALF
#unroll y TILE_Y
#unroll x TILE_X
  let end$(y)_$x = fma(carried$(y)_$x + vec4f(sum$(y)_$x), bias[shape.channels4 + c], bias[c]);
#end
#end
#else
#unroll y TILE_Y
#unroll x TILE_X
  let end$(y)_$x = sum$(y)_$x;
#end
#end
#endif
#unroll y TILE_Y
  if ($(y)u >= skip_y) {
#unroll x TILE_X
    if ($(x)u >= skip_x) { finish(end$(y)_$x, at + $(y)u * out_pitch + $(x)u * shape.channels4); }
#end
  }
#end
}

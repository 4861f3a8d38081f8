// A picture becomes an input tensor: turn, resample, reorder channels, scale and shift. The formula, and what each field
// of Shape means, is that of src/images/resample.ts; narrow is 1 / width.
//
// pixels  [in_height · in_width]            RGBA bytes, red lowest; (y, x) at origin + y · row + x · column
//         TEXTURE: a texture of values 0 … 1 for 0 … 255, the same pixel numbers, `stride` of them a row, to be rounded
//         where WHOLE: they are bytes. EXTERNAL: such a frame of video
// dst     [out_height][out_width]           one vec4: red, green, blue (or the reverse, or luma) and zeros; with DENSE
//                                           the three floats, or the one, alone
//
// One invocation computes one pixel.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32,
  origin: i32, row: i32, column: i32, stride: i32,
  first_y: i32, first_x: i32, length_y: i32, length_x: i32,
  start_y: f32, start_x: f32, step_y: f32, step_x: f32,
  narrow_y: f32, narrow_x: f32, support_y: f32, support_x: f32,
  scale_0: f32, scale_1: f32, scale_2: f32, offset_0: f32, offset_1: f32, offset_2: f32,
}

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
#if EXTERNAL
@group(0) @binding(1) var pixels: texture_external;
#elif TEXTURE
@group(0) @binding(1) var pixels: texture_2d<f32>;
#else
@group(0) @binding(1) var<storage, read> pixels: array<i32>;
#endif
#if DENSE
@group(0) @binding(2) var<storage, read_write> dst: array<f32>;
#else
@group(0) @binding(2) var<storage, read_write> dst: array<Dst4>;
#endif

fn filter_weight(x: f32) -> f32 {
  let a = abs(x);
#if BICUBIC
  if (a < 1.0) { return (1.5 * a - 2.5) * a * a + 1.0; }
  if (a < 2.0) { return ((-0.5 * a + 2.5) * a - 4.0) * a + 2.0; }
  return 0.0;
#else
  return max(0.0, 1.0 - a);
#endif
}

#if TEXTURE
// Where a step of so many pixel numbers leads.
fn step_of(numbers: i32) -> vec2i {
  return select(vec2i(numbers, 0), vec2i(0, sign(numbers)), abs(numbers) == shape.stride);
}

fn colour(at: vec2i) -> vec3f {
#if EXTERNAL
  return 255.0 * textureLoad(pixels, at).rgb;
#elif WHOLE
  return round(255.0 * textureLoad(pixels, at, 0).rgb);
#else
  return 255.0 * textureLoad(pixels, at, 0).rgb;
#endif
}
#else
fn colour(at: i32) -> vec3f {
  let bytes = pixels[at];
  return vec3f(f32(bytes & 255), f32((bytes >> 8u) & 255), f32((bytes >> 16u) & 255));
}
#endif

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.out_width || id.y >= shape.out_height) { return; }
  let y = i32(id.y) - shape.first_y;
  let x = i32(id.x) - shape.first_x;
  var mean = vec3f(0.0);
  if (y >= 0 && y < shape.length_y && x >= 0 && x < shape.length_x) {
    let centre_y = shape.start_y + f32(y) * shape.step_y;
    let centre_x = shape.start_x + f32(x) * shape.step_x;
    // Those within the support: on its ends weights are zero.
    let from_y = max(0, i32(floor(centre_y - shape.support_y - 0.5)) + 1);
    let from_x = max(0, i32(floor(centre_x - shape.support_x - 0.5)) + 1);
    let to_y = min(i32(shape.in_height) - 1, i32(ceil(centre_y + shape.support_y - 0.5)) - 1);
    let to_x = min(i32(shape.in_width) - 1, i32(ceil(centre_x + shape.support_x - 0.5)) - 1);
#if TEXTURE
    let origin = vec2i(shape.origin % shape.stride, shape.origin / shape.stride);
    let row = step_of(shape.row);
    let column = step_of(shape.column);
#else
    let origin = shape.origin;
    let row = shape.row;
    let column = shape.column;
#endif
    let narrow_y = shape.narrow_y;
    let narrow_x = shape.narrow_x;
    var sum = vec3f(0.0);
    var total_y = 0.0;
    var total_x = 0.0;
    for (var py = from_y; py <= to_y; py++) {
      let line = origin + py * row;
      var line_sum = vec3f(0.0);
      total_x = 0.0;
      for (var px = from_x; px <= to_x; px++) {
        let weight = filter_weight((f32(px) + 0.5 - centre_x) * narrow_x);
        line_sum += weight * colour(line + px * column);
        total_x += weight;
      }
      let weight_y = filter_weight((f32(py) + 0.5 - centre_y) * narrow_y);
      sum += weight_y * line_sum;
      total_y += weight_y;
    }
    mean = sum / (total_y * total_x);
  }
  let pixel = id.y * shape.out_width + id.x;
#if GREY
  let value = dot(mean, vec3f(0.299, 0.587, 0.114)) * shape.scale_0 + shape.offset_0;
#if DENSE
  dst[pixel] = value;
#else
  dst[pixel] = store_dst(vec4f(value, 0.0, 0.0, 0.0));
#endif
#else
#if BGR
  let channels = mean.zyx;
#else
  let channels = mean;
#endif
  let scale = vec3f(shape.scale_0, shape.scale_1, shape.scale_2);
  let offset = vec3f(shape.offset_0, shape.offset_1, shape.offset_2);
  let value = channels * scale + offset;
#if DENSE
  for (var i = 0u; i < 3u; i++) { dst[3u * pixel + i] = value[i]; }
#else
  dst[pixel] = store_dst(vec4f(value, 0.0));
#endif
#endif
}

// A tensor between a buffer of the caller's, float32 without padding, and the plan's own: into the plan with TAKE, else out
// of it.
//
// values  [elements] floats: a channel of a pixel at image · image_step + pixel · pixel_step + channel · channel_step
// stored  [images · pixels][channels4]; with DENSE the floats [images · pixels][channels]
//
// One invocation moves four channels of one pixel; with TAKE, lanes past the last channel become zero.
struct Shape {
  places: u32, across: u32, pixels: u32, channels: u32, channels4: u32,
  image_step: u32, pixel_step: u32, channel_step: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
#if TAKE
@group(0) @binding(1) var<storage, read> values: array<f32>;
#if DENSE
@group(0) @binding(2) var<storage, read_write> stored: array<f32>;
#else
@group(0) @binding(2) var<storage, read_write> stored: array<Dst4>;
#endif
#else
#if DENSE
@group(0) @binding(1) var<storage, read> stored: array<f32>;
#else
@group(0) @binding(1) var<storage, read> stored: array<Src4>;
#endif
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = id.y * shape.across + id.x;
  if (place >= shape.places) { return; }
  let pixel = place / shape.channels4;
  let channel = place % shape.channels4 * 4u;
  let count = min(4u, shape.channels - channel);
  let first = pixel / shape.pixels * shape.image_step + pixel % shape.pixels * shape.pixel_step + channel * shape.channel_step;
#if DENSE
  let at = pixel * shape.channels + channel;
  for (var i = 0u; i < count; i++) {
#if TAKE
    stored[at + i] = values[first + i * shape.channel_step];
#else
    values[first + i * shape.channel_step] = stored[at + i];
#endif
  }
#elif TAKE
  var value = vec4f(0.0);
  for (var i = 0u; i < count; i++) { value[i] = values[first + i * shape.channel_step]; }
  stored[place] = store_dst(value);
#else
  let value = load_src(stored[place]);
  for (var i = 0u; i < count; i++) { values[first + i * shape.channel_step] = value[i]; }
#endif
}

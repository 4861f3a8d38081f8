// The entry point of a kernel in which one invocation computes four channels of one pixel, each by itself.
//
// Expects  struct Shape with pixels and channels4; output(at, id): the four channels of place `at`, (channels, pixel, image)
//          DST_BINDING, behind those of other inputs
// Gives    shape, src, dst
override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding($(DST_BINDING)) var<storage, read_write> dst: array<Dst4>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.channels4 || id.y >= shape.pixels) { return; }
  let at = (id.z * shape.pixels + id.y) * shape.channels4 + id.x;
  dst[at] = store_dst(output(at, id));
}

// An activation on its own: dst = activate(src), relu, relu6, hard-swish, hard-sigmoid or sigmoid.
//
// src, dst  [batch][pixels][channels4]      NHWC, four channels a vec4
//
// One invocation computes four channels of one pixel.
struct Shape { pixels: u32, channels4: u32 }

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read_write> dst: array<Dst4>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.channels4 || id.y >= shape.pixels) { return; }
  let at = (id.z * shape.pixels + id.y) * shape.channels4 + id.x;
  dst[at] = store_dst(activate(load_src(src[at])));
}

// sum[i] = a[i]·SCALE + b[i]; one invocation an element.
override SCALE: f32;
override WORKGROUP: u32;
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> sum: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&sum)) { return; }
  sum[id.x] = a[id.x] * SCALE + b[id.x];
}

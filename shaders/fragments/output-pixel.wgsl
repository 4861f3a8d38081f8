// The entry point of a kernel in which one invocation computes four channels of one pixel from many of the input.
//
// Expects  out_height, out_width and of the output, `channels`, its channels in fours; output(image, y, x, c): its channels 4·c to 4·c + 3;
//          finish(value, at), which stores them
override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let x = id.y;
  let image = id.z / shape.out_height;
  let y = id.z - image * shape.out_height;
  if (c >= $channels || x >= shape.out_width) { return; }
  finish(output(image, y, x, c), ((image * shape.out_height + y) * shape.out_width + x) * $channels + c);
}

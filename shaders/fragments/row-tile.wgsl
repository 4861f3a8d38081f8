// Place of an invocation that computes TILE_PIXELS neighbours of a row × TILE_CHANNELS channels. With BROADCAST no lane may
// leave early, as others read from it.
//
// Expects  id and workgroup of the invocation; with BROADCAST subgroup_lane; fields of `shape`
// Gives    image, channel, out_y, out_x; with BROADCAST `own`, the first column of weights that this lane loads; top, the
//          first row of the input; last_y, last_x, its last row and column; base, its first pixel
  let image = workgroup.z / shape.groups_of_channels;
  let channel = (workgroup.z - image * shape.groups_of_channels) * $(TILE_CHANNELS)u;
  let out_y = id.y;
  let out_x = id.x * $(TILE_PIXELS)u;
#if BROADCAST
  let own = channel + (subgroup_lane & 3u);
#else
  if (out_y >= shape.out_height || out_x >= shape.out_width) { return; }
#endif
  let top = i32(out_y * shape.stride_y) - shape.pad_top;
  let last_y = i32(shape.in_height) - 1;
  let last_x = i32(shape.in_width) - 1;
  let base = image * shape.in_height * shape.in_width;

// Place of an invocation that computes TILE_PIXELS neighbours of a row × TILE_CHANNELS channels. With BROADCAST no lane may
// leave early, as others read from it. LANES: 0 a workgroup is a rectangle of pixels for one group of channels, 1 it is of a line over
// groups, fastest, tiles and rows.
//
// Expects  id, workgroup and lane of the invocation; with BROADCAST subgroup_lane; fields of `shape`
// Gives    image, channel, column, out_y, out_x; with BROADCAST `own`, the first column of weights that this lane loads; top, the
//          first row of the input; last_y, last_x, its last row and column; base, its first pixel
#if LANES == 1
  let place = (workgroup.y * MOST_WORKGROUPS + workgroup.x) * (WORKGROUP_X * WORKGROUP_Y) + lane;
  let tile_of_all = place / shape.groups_of_channels;
  let group = place - tile_of_all * shape.groups_of_channels;
  let tiles_of_row = (shape.out_width + $(TILE_PIXELS-1)u) / $(TILE_PIXELS)u;
  let row_of_all = tile_of_all / tiles_of_row;
  let out_x = (tile_of_all - row_of_all * tiles_of_row) * $(TILE_PIXELS)u;
  let image = row_of_all / shape.out_height;
  let out_y = row_of_all - image * shape.out_height;
  if (image >= shape.images) { return; }
#else
  let image = workgroup.z / shape.groups_of_channels;
  let group = workgroup.z - image * shape.groups_of_channels;
  let out_y = id.y;
  let out_x = id.x * $(TILE_PIXELS)u;
#endif
#include place-of-group
#if BROADCAST
  let own = channel + (subgroup_lane & 3u);
#elif LANES == 0
  if (out_y >= shape.out_height || out_x >= shape.out_width) { return; }
#endif
  let top = i32(out_y * shape.stride_y) - shape.pad_top;
  let last_y = i32(shape.in_height) - 1;
  let last_x = i32(shape.in_width) - 1;
  let base = image * shape.in_height * shape.in_width;

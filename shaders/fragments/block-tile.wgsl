// Place of a workgroup that computes a tile of TILE_Y × TILE_X pixels through a window of strides STRIDE_Y, STRIDE_X.
//
// Expects  workgroup; fields of `shape`: tiles_y, pad_top, pad_left
// Gives    image, tile_y, the tile's row of tiles; out_y, out_x, its first pixel; in_y, in_x, the first that it reads
  let image = workgroup.y / shape.tiles_y;
  let tile_y = workgroup.y - image * shape.tiles_y;
  let out_y = tile_y * $(TILE_Y)u;
  let out_x = workgroup.x * $(TILE_X)u;
  let in_y = i32(out_y * $(STRIDE_Y)u) - shape.pad_top;
  let in_x = i32(out_x * $(STRIDE_X)u) - shape.pad_left;

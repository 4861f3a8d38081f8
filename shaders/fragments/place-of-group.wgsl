// Where the weights of a group of TILE_CHANNELS output channels are in a row.
//
// Expects  group; COLUMN_STEP, from one of its columns to the next: 1, or 4 where the columns of four groups lie in turns, so
//          that neighbouring lanes, which have neighbouring groups, load what lies together
// Gives    channel, its first; column, that of the first
  let channel = group * $(TILE_CHANNELS)u;
#if COLUMN_STEP == 1
  let column = channel;
#else
  let column = group / $(COLUMN_STEP)u * $(COLUMN_STEP*TILE_CHANNELS)u + group % $(COLUMN_STEP)u;
#endif

/** Whether a file is a picture, by what the browser or its name says. */
export const isPictureFile = ({ name, type }: File): boolean =>
  type.startsWith('image/') || /\.(avif|bmp|gif|jpe?g|png|webp)$/i.test(name);

/** `2/50`: threads, and for how many microseconds idle ones spin. */
export function settingName({ threads, spinMicroseconds }) {
  return `${threads}/${spinMicroseconds}`;
}

/**
 * CRC-32C (Castagnoli, reflected 0x82F63B78), eight bytes per step.
 *
 * About 1 ns per byte; the tables are 8 KB and made once per process, they never change.
 */
const polynomial = 0x82f6_3b78;

function makeTables(): Int32Array {
  const tables = new Int32Array(2048);
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[value] = crc;
  }
  for (let index = 256; index < 2048; index++) {
    const before = tables[index - 256] as number;
    tables[index] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}

const tables = makeTables();

/**
 * The checksum of `bytes[start..end)`, continuing an earlier one.
 *
 * @param crc - result for the bytes before, or the seed to begin with; 0 gives the usual CRC-32C
 * @returns 0..0xFFFF_FFFF
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, crc = 0): number {
  let state = ~crc;
  let at = start;
  for (const eights = end - 7; at < eights; at += 8) {
    state ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    state =
      (tables[1792 + (state & 0xff)] as number) ^
      (tables[1536 + ((state >>> 8) & 0xff)] as number) ^
      (tables[1280 + ((state >>> 16) & 0xff)] as number) ^
      (tables[1024 + (state >>> 24)] as number) ^
      (tables[768 + (bytes[at + 4] as number)] as number) ^
      (tables[512 + (bytes[at + 5] as number)] as number) ^
      (tables[256 + (bytes[at + 6] as number)] as number) ^
      (tables[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) state = (state >>> 8) ^ (tables[(state ^ (bytes[at] as number)) & 0xff] as number);
  return ~state >>> 0;
}

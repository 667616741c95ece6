/**
 * Replays the journal: which batches count, and what is left of the damaged ones.
 *
 * A batch that cannot be read wholly is one of two things. Either the power went while it was written; then nobody was told
 * that it was safe, and it and everything after it never happened. Or it had been safe, as a later write says, and was damaged
 * afterwards; then its intact records count, and the others are reported.
 */
import { ByteReader, FormatError } from './byte-reader.ts';
import type { Interner, RecordSink } from './fact-codec.ts';
import { readRecord } from './fact-codec.ts';
import { recordEnd, recordHeaderSize, recordIsIntact } from './record.ts';
import type { SegmentHeader } from './segment-format.ts';
import { batchHeadSize, segmentDataStart } from './segment-format.ts';
import type { Stretch } from './segment-scan.ts';
import { nextFrame, scanSegment } from './segment-scan.ts';

/** A segment to be replayed. */
export interface SegmentSource {
  readonly name: string;
  readonly header: SegmentHeader;
  /** Whether one of the two copies of the header cannot be read. */
  readonly isHeaderDamaged: boolean;
  /** Reads the whole file. */
  read(): Buffer;
}

/** Told of a stretch that was safe once and cannot be read any more. */
export type ReportLoss = (segment: string, offset: number, bytes: Buffer, what: string) => void;

export interface Replayed {
  /** Number of the last batch that counts; 0 when there is none. */
  readonly lastBatch: number;
  /** Batches applied. */
  readonly batches: number;
  /** Bytes of the journal that are in use. */
  readonly bytes: number;
  /** Batches that count although nothing says that they had reached the disk, as they lie in the file, in order. */
  readonly unproven: readonly { readonly number: number; readonly bytes: Buffer }[];
  /** Where writing was cut off: segment and offset; null when it was not. */
  readonly cutOff: { readonly segment: string; readonly offset: number; readonly length: number } | null;
}

/**
 * @param segments - in ascending order
 * @param firstBatch - earlier batches are in the snapshot already
 */
export function replay(
  segments: readonly SegmentSource[],
  firstBatch: number,
  interner: Interner,
  sink: RecordSink,
  report: ReportLoss,
): Replayed {
  const scans = segments.map(({ header, read }) => scanSegment(read(), header.salt));
  const syncedBatch = Math.max(0, ...scans.map((scan) => scan.syncedBatch));
  const first = segments[0]?.header.firstBatch ?? 1;
  let lastBatch = firstBatch > 0 ? firstBatch - 1 : first - 1;
  const unproven: { number: number; bytes: Buffer }[] = [];
  let batches = 0;
  let used = 0;
  for (const [index, segment] of segments.entries()) {
    const { name, header } = segment;
    // A later segment begins anew with the first batch that was not known to be safe when it was made.
    const endBatch = Math.min(...segments.slice(index + 1).map((later) => later.header.firstBatch));
    if (endBatch <= firstBatch || endBatch <= header.firstBatch) continue;
    const stretches = scans[index]?.stretches ?? [];
    const bytes = segment.read();
    let expected = header.firstBatch;
    // Until its first batch is safe a header may be half-written.
    if (segment.isHeaderDamaged && expected <= syncedBatch && expected < endBatch) {
      report(name, 0, bytes.subarray(0, segmentDataStart), 'one copy of the header is damaged, the other is used');
    }
    if (expected > lastBatch + 1 && expected > firstBatch && lastBatch + 1 > syncedBatch) {
      return { lastBatch, batches, bytes: used, unproven, cutOff: { segment: name, offset: 0, length: bytes.length } };
    }
    for (const [place, stretch] of stretches.entries()) {
      const number = stretch.number === 0 ? expected : stretch.number;
      if (number >= endBatch) {
        if (stretch.number !== 0) break;
        continue;
      }
      used += stretch.end - stretch.start;
      const isLost = stretch.number === 0 && nextNumber(stretches, place, endBatch) === expected;
      if (isLost) {
        // No batch is missing here, only a mark that nobody needs; until the next batch is safe it may be half-written.
        if (expected <= syncedBatch)
          report(name, stretch.start, bytes.subarray(stretch.start, stretch.end), 'a mark of the journal is damaged');
        continue;
      }
      const isGap = number > expected && expected > syncedBatch;
      if (isGap || (!stretch.isWhole && number > syncedBatch)) {
        const { start, end } = stretch;
        return {
          lastBatch,
          batches,
          bytes: used,
          unproven,
          cutOff: { segment: name, offset: start, length: end - start },
        };
      }
      expected = number + 1;
      if (number < firstBatch) continue;
      const lost = (offset: number, end: number, what: string): void =>
        report(name, offset, bytes.subarray(offset, end), what);
      apply(bytes, stretch, header.salt, interner, sink, lost);
      lastBatch = Math.max(lastBatch, number);
      batches++;
      if (number > syncedBatch) {
        unproven.push({ number, bytes: Buffer.from(bytes.subarray(stretch.start - batchHeadSize, stretch.end)) });
      }
    }
  }
  return { lastBatch, batches, bytes: used, unproven, cutOff: null };
}

/** The number of the next batch that can be read, or that the next segment begins with. */
function nextNumber(stretches: readonly Stretch[], place: number, endBatch: number): number {
  for (const stretch of stretches.slice(place + 1)) if (stretch.number !== 0) return stretch.number;
  return endBatch;
}

function apply(
  bytes: Buffer,
  stretch: Stretch,
  salt: number,
  interner: Interner,
  sink: RecordSink,
  lost: (offset: number, end: number, what: string) => void,
): void {
  const { start, end, isWhole } = stretch;
  let at = start;
  while (at < end) {
    // Of a whole batch every frame was checked before.
    const next = isWhole ? at + recordHeaderSize + bytes.readUInt32BE(at) : recordEnd(bytes, at, end, salt);
    if (isWhole || (next > 0 && recordIsIntact(bytes, at, next, salt))) {
      try {
        const reader = new ByteReader(bytes, at + recordHeaderSize, next);
        readRecord(bytes[at + 4] as number, reader, interner, sink);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        lost(at, next, error.message);
      }
      at = next;
      continue;
    }
    const resume = next > 0 ? next : nextFrame(bytes, at + 1, end, end, salt);
    lost(at, resume, 'a record is damaged');
    at = resume;
  }
}

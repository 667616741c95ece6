import { useEffect, useRef } from 'preact/hooks';
import { colour, theme } from '../theme.ts';

/** The last values of a topic as a line. @param values - oldest first, at most a few hundred */
export function Sparkline(props: { values: readonly number[]; width?: number; height?: number; label?: string }) {
  const { values, width = 96, height = 22 } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = theme.value;
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, values, width, height);
  }, [values, width, height, shown]);
  return (
    <canvas
      ref={canvas}
      class="sparkline"
      role={props.label === undefined ? undefined : 'img'}
      aria-label={props.label}
      aria-hidden={props.label === undefined}
    />
  );
}

function draw(canvas: HTMLCanvasElement, values: readonly number[], width: number, height: number): void {
  const ratio = Math.min(2, window.devicePixelRatio);
  if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext('2d');
  if (pen === null) return;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  if (values.length < 2) return;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const span = high - low || 1;
  const step = (width - 4) / (values.length - 1);
  pen.beginPath();
  values.forEach((value, index) => {
    const y = high === low ? height / 2 : height - 3 - ((value - low) / span) * (height - 6);
    if (index === 0) pen.moveTo(2, y);
    else pen.lineTo(2 + index * step, y);
  });
  pen.strokeStyle = colour('series-1');
  pen.lineWidth = 1.4;
  pen.lineJoin = 'round';
  pen.stroke();
}

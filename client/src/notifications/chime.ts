/** Two soft tones, a fourth up: Hz. */
const TONES = [659.3, 880] as const;
/** The delay between the tones, and the length of each, in seconds. */
const STEP_S = 0.11;
const LENGTH_S = 0.35;
const LOUDNESS = 0.12;
/** An exponential envelope cannot reach zero. */
const SILENCE = 0.0001;

/** Whether the browser lets this page play sound: only after a user action. */
export function mayChime(): boolean {
  return navigator.userActivation?.hasBeenActive ?? true;
}

/** Plays the two tones softly. */
export async function chime(): Promise<void> {
  const context = new AudioContext();
  // If the browser refuses nevertheless, there is no sound.
  await context.resume().catch(() => {});
  const ends = TONES.map((hertz, index) =>
    tone(context, hertz, context.currentTime + index * STEP_S),
  );
  await Promise.all(ends);
  await context.close();
}

/** Resolves when the tone has ended. */
function tone(context: AudioContext, hertz: number, at: number): Promise<void> {
  const oscillator = new OscillatorNode(context, { type: "sine", frequency: hertz });
  const gain = new GainNode(context, { gain: SILENCE });
  gain.gain.setValueAtTime(SILENCE, at);
  gain.gain.exponentialRampToValueAtTime(LOUDNESS, at + 0.015);
  gain.gain.exponentialRampToValueAtTime(SILENCE, at + LENGTH_S);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + LENGTH_S);
  return new Promise((resolve) => {
    oscillator.onended = () => resolve();
  });
}

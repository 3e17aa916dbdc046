/** Two soft tones, a fourth up: Hz. */
const TONES = [659.3, 880] as const;
/** From one to the next, and the length of each, in seconds. */
const STEP_S = 0.11;
const LENGTH_S = 0.35;
const LOUDNESS = 0.12;
/** An envelope cannot fall to nothing exponentially. */
const SILENCE = 0.0001;

/** Whether the browser lets this page be heard: only after its user has done something on it. */
export function mayChime(): boolean {
  return navigator.userActivation?.hasBeenActive ?? true;
}

/** Plays it; no louder than what is around it. */
export async function chime(): Promise<void> {
  const context = new AudioContext();
  // A browser that refuses after all stays silent.
  await context.resume().catch(() => {});
  const ends = TONES.map((hertz, index) =>
    tone(context, hertz, context.currentTime + index * STEP_S),
  );
  await Promise.all(ends);
  await context.close();
}

/** Until it has ended. */
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

import { Component, type ReactNode, Suspense } from "react";
import { isMissingPart } from "../platform/app-version";

interface Props {
  readonly children: ReactNode;
  /** Shown until the children are loaded. */
  readonly fallback?: ReactNode;
}

interface State {
  readonly error: unknown;
}

/**
 * Surrounds components that are loaded when they are needed. If loading fails, only
 * the fallback is shown and the rest of the page works on; `AppVersionBanner` says what to do.
 */
export class LazyBoundary extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    const { error } = this.state;
    const { children, fallback = null } = this.props;
    if (error === null) return <Suspense fallback={fallback}>{children}</Suspense>;
    if (!isMissingPart(error)) throw error;
    return fallback;
  }
}

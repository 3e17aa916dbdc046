import { useEffect } from "react";
import { Toaster as Sonner, toast } from "sonner";
import "sonner/dist/styles.css";
import { useTheme } from "../platform/theme";
import { toasterReady } from "./toasts";

/** Where toasts appear; a part of the page that is loaded when it is needed. */
export default function Toaster() {
  useEffect(() => toasterReady(toast), []);
  return <Sonner position="top-right" theme={useTheme()} />;
}

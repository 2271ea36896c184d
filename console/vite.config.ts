import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/healthz': 'http://127.0.0.1:8080' } },
  build: {
    target: 'baseline-widely-available',
    assetsInlineLimit: 0,
    // The polyfill is an inline-free no-op on our targets; the manifest feeds `npm run size`.
    modulePreload: { polyfill: false },
    manifest: true,
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'react', test: /node_modules[\\/](react|react-dom|scheduler|@tanstack)[\\/]/, priority: 20 },
      // What the dashboard needs of Mantine, in one piece: many small ones compress worse and change with every page that is added.
      { name: 'mantine', test: /node_modules[\\/]@mantine[\\/](hooks|core[\\/]esm[\\/](core|components[\\/](ActionIcon|Button|UnstyledButton|CloseButton|Loader|Input|InputBase|InputClearButton|TextInput|InlineInput|Checkbox|Select|Combobox|Menu|Popover|Tooltip|Transition|Portal|Paper|Overlay|FocusTrap|Floating|ScrollArea))[\\/])/, priority: 10 }] } } },
  },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'], setupFiles: ['src/test-setup.ts'] },
});

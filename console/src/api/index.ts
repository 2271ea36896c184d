export * from './can';
export * from './client';
export * from './hub-types';
export * from './queries';
export * from './types';
export * from './watch';

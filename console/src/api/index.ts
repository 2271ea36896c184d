export * from './business';
export * from './can';
export * from './client';
export * from './hub-types';
export * from './download';
export * from './queries';
export * from './types';
export * from './watch';

export { type Demand, type Room, roomFor, type TakenDemand } from './room.ts';

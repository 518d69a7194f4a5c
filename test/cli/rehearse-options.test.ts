/** From options to what is played, and from what was played back to a command line. */
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../src/cli/rehearse/command-line.ts';
import { numbersOf, type RehearseCommandOptions } from '../../src/cli/rehearse/options.ts';
import { openSource } from '../../src/cli/rehearse/source.ts';
import { NamedFiles } from '../../src/files/named-files.ts';
import { standardScenario } from '../../src/rehearsal/index.ts';
import { fault } from '../rehearsal/play.ts';
import { helloPlan } from '../support/hello-plan.ts';

const kernel = 'rfc-migration-v2';
const plain: RehearseCommandOptions = {
  file: 'examples/hello.yaml',
  fault: [],
  output: 'text',
};

describe('the command that plays a reduced scenario again', () => {
  test('names all that made the scenario, so that its options make the same', async () => {
    const options = { ...plain, kernel, slotsLeft: '3', destinationVcpus: '2', unchecked: true };
    const plan = await helloPlan(kernel);
    const scenario = standardScenario({
      plan,
      count: 2,
      hops: 1,
      checks: 'none',
      slotsLeft: 3,
      destinationVcpus: 2,
    });
    const faults = ['KVM_CREATE_VM#2=tdctl-dies', 'KVM_TDX_INIT_VM=EINTR'].map(fault);
    expect(commandLine({ scenario, faults }, { options, ofFile: [] })).toBe(
      'tdctl rehearse examples/hello.yaml --kernel rfc-migration-v2 --hops 1 --count 2 --slots-left 3' +
        " --destination-vcpus 2 --unchecked --fault 'KVM_CREATE_VM#2=tdctl-dies' --fault KVM_TDX_INIT_VM=EINTR",
    );
    const again = { ...options, hops: '1', count: '2' };
    const given = { numbers: numbersOf(again), files: new NamedFiles() };
    const { operations } = await (await openSource(again, given)).scenarioUnder(kernel);
    expect(operations).toEqual(scenario.operations);
  });

  test('of a Rehearsal file: the file and the faults that are not in it', async () => {
    const options = { ...plain, file: "it's.yaml" };
    const { standard: _, ...scenario } = standardScenario({
      plan: await helloPlan(kernel),
      count: 1,
      hops: 1,
      checks: 'all',
    });
    const faults = ['KVM_TDX_INIT_VM=EINTR', 'KVM_CREATE_VCPU=ENOMEM'].map(fault);
    expect(commandLine({ scenario, faults }, { options, ofFile: ['KVM_TDX_INIT_VM=EINTR'] })).toBe(
      "tdctl rehearse 'it'\\''s.yaml' --fault KVM_CREATE_VCPU=ENOMEM",
    );
  });
});

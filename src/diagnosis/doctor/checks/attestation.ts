import { fail, inGroup, pass, unknown, warn } from '../check.ts';
import { whyNotRead } from '../reading.ts';

export const attestationChecks = inGroup('Firmware and quotes', [
  {
    id: 'firmware.tdvf',
    title: 'A firmware image that can start a TD is installed',
    needs: [],
    reads: 'TDVF metadata of the OVMF images under /usr/share',
    evaluate({ firmware }) {
      const fix =
        'install one (Debian, Ubuntu: ovmf or ovmf-inteltdx; Fedora: edk2-ovmf), or name your own in the TrustDomain file';
      if (firmware.state === 'not-asked') return unknown(whyNotRead(firmware));
      if (firmware.state !== 'read') return warn('no OVMF image where distributions put it', fix);
      const good = firmware.value.find(({ problem }) => problem === null);
      if (good !== undefined) return pass(good.path);
      const [first] = firmware.value;
      if (first === undefined) return warn('no OVMF image where distributions put it', fix);
      return warn(`${first.path}: ${first.problem}`, fix);
    },
  },
  {
    id: 'qgs.socket',
    title: 'A quote generation service is there',
    needs: ['module.initialized'],
    reads: '/var/run/tdx-qgs/qgs.socket, port in /etc/qgs.conf',
    evaluate({ attestation: { quoteService } }) {
      if (quoteService.state === 'read') return pass(quoteService.value);
      if (quoteService.state === 'not-asked') return unknown(whyNotRead(quoteService));
      return warn(
        `${quoteService.from} is not there: TDs run, and can give no quote`,
        'install and start it: tdx-qgs (qgsd.service)',
      );
    },
  },
  {
    id: 'qgs.registration',
    title: 'The platform is registered with Intel',
    needs: ['module.initialized'],
    reads: 'the UEFI variable SgxRegistrationStatus',
    evaluate({ attestation: { registration } }) {
      if (registration.state !== 'read') {
        return unknown('the UEFI variable SgxRegistrationStatus is not there or not readable');
      }
      const { complete, errorCode } = registration.value;
      if (complete && errorCode === 0) return pass('SgxRegistrationStatus: complete');
      return fail(
        `SgxRegistrationStatus: ${complete ? 'complete' : 'not complete'}, error code 0x${errorCode.toString(16)}: quotes come back empty (0xe011)`,
        'in the BIOS: "SGX Auto MP Registration" on, then start mpa_registration_tool; or register through the PCCS, and restart qgsd',
      );
    },
  },
]);

/** What QEMU says of devices that a TD gets. */
import { messages } from './message.ts';

export const vfio = messages(
  { by: 'QEMU', place: 'host', source: 'hw/vfio/', releases: '8.2 and later' },
  [
    {
      says: 'vfio {directory:word}: failed to load "{file:word}/dev"',
      source: 'hw/vfio/device.c',
      answer: {
        // intel/tdx-linux#8
        id: 'vfio.no-character-device',
        meaning: 'the device has no VFIO character device, which iommufd needs',
        causes: [
          'the kernel is built without CONFIG_VFIO_DEVICE_CDEV',
          'the device is not bound to vfio-pci',
        ],
        next: 'bind it to vfio-pci, and look for /dev/vfio/devices/; `grep VFIO_DEVICE_CDEV /boot/config-$(uname -r)`',
      },
    },
    {
      says: 'Failed to open /dev/vfio/devices/{name:word}',
      answer: {
        // canonical/tdx#367
        id: 'vfio.character-device-not-opened',
        meaning: 'QEMU cannot open the VFIO character device of the device',
        causes: [
          'the user of QEMU has no permission for it',
          'the device is not bound to vfio-pci, or the number is that of another device',
        ],
        next: 'look at `ls -l /dev/vfio/devices/`; give the user of QEMU the device, or bind it to vfio-pci',
      },
    },
    {
      says: 'vfio_register_ram_discard_listener: possibly running out of DMA mappings',
      source: 'hw/vfio/listener.c',
      answer: {
        // NVIDIA/nvtrust#46
        id: 'vfio.mappings-may-run-out',
        rank: 'note',
        meaning:
          'a warning and no error: if the TD shares its memory page by page, the device may run out of DMA mappings',
        next: 'nothing unless VFIO_MAP_DMA fails; then raise vfio_iommu_type1.dma_entry_limit',
      },
    },
  ],
);

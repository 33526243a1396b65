//! Writes a picture as PNG (true colour, 8 bits).

use flate2::Compression;
use flate2::write::ZlibEncoder;
use flate2::{Crc, CrcWriter};
use std::io::Write;

/// The file for `width` × `height` pixels of red, green, blue, row by row.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn encode(width: u32, height: u32, pixels: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::with_capacity(13);
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &header)?;
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    let row_length = width as usize * 3;
    let mut above = vec![0; row_length];
    for row in pixels.chunks_exact(row_length) {
        // Filter 2 ("up") makes soft gradients and flat areas nearly free.
        let filtered: Vec<u8> =
            row.iter().zip(&above).map(|(now, before)| now.wrapping_sub(*before)).collect();
        packed.write_all(&[2])?;
        packed.write_all(&filtered)?;
        above.copy_from_slice(row);
    }
    chunk(&mut file, *b"IDAT", &packed.finish()?)?;
    chunk(&mut file, *b"IEND", &[])?;
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(data.len()).map_err(|_| std::io::Error::other("the picture is too large"))?;
    file.extend(length.to_be_bytes());
    let mut summed = CrcWriter::new(&mut *file);
    summed.write_all(&kind)?;
    summed.write_all(data)?;
    let sum: &Crc = summed.crc();
    let sum = sum.sum();
    file.extend(sum.to_be_bytes());
    Ok(())
}
